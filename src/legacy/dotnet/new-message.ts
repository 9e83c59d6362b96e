import type { Spool } from './spool.ts';

/**
 * The name of the old action's parameter; ModelState keys begin with it. Nobody outside knows the real one.
 */
export const parameter = 'post';

export const namespaces = {
  posts: 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts',
  results: 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Results',
  data: 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStructures',
  arrays: 'http://schemas.microsoft.com/2003/10/Serialization/Arrays',
  instance: 'http://www.w3.org/2001/XMLSchema-instance',
  serialization: 'http://schemas.microsoft.com/2003/10/Serialization/',
} as const;

export interface NewAttachment {
  FileName: string | null;
  ContentType: string | null;
  ContentLength: number;
  Data: Spool | null;
}

/** The body of NewMessage as the old service bound it; members in the order of its help page. */
export interface NewMessagePost {
  TicketREF: string | null;
  TicketId: number | null;
  Message: string | null;
  Html: boolean;
  IsPrivate: boolean;
  IsMobileDevice: boolean;
  Attachments: (NewAttachment | null)[] | null;
  SendViaOutboundEmail: boolean;
  SendViaOutboundEmailFrom: string | null;
  SendViaOutboundEmailCc: (string | null)[] | null;
  SendViaOutboundEmailBcc: (string | null)[] | null;
}

export function emptyPost(): NewMessagePost {
  return {
    TicketREF: null,
    TicketId: null,
    Message: null,
    Html: false,
    IsPrivate: false,
    IsMobileDevice: false,
    Attachments: null,
    SendViaOutboundEmail: false,
    SendViaOutboundEmailFrom: null,
    SendViaOutboundEmailCc: null,
    SendViaOutboundEmailBcc: null,
  };
}

export function emptyAttachment(): NewAttachment {
  return { FileName: null, ContentType: null, ContentLength: 0, Data: null };
}

/** How a member's value is written: `int?` may be null, `int` and `bool` may not. */
export type MemberType = 'string' | 'int?' | 'int' | 'bool' | 'bytes' | 'strings' | 'attachments';
export type MemberTypes = Readonly<Record<string, MemberType>>;
/** The types with members: the body itself, and one of its attachments. */
export type Shape = 'post' | 'attachment';
export type ValueType = MemberType | Shape;
/** A post or an attachment while its members are being read. */
export type BoundObject = Record<string, unknown>;

export const postMembers = {
  TicketREF: 'string',
  TicketId: 'int?',
  Message: 'string',
  Html: 'bool',
  IsPrivate: 'bool',
  IsMobileDevice: 'bool',
  Attachments: 'attachments',
  SendViaOutboundEmail: 'bool',
  SendViaOutboundEmailFrom: 'string',
  SendViaOutboundEmailCc: 'strings',
  SendViaOutboundEmailBcc: 'strings',
} as const satisfies Record<keyof NewMessagePost, MemberType>;

export const attachmentMembers = {
  FileName: 'string',
  ContentType: 'string',
  ContentLength: 'int',
  Data: 'bytes',
} as const satisfies Record<keyof NewAttachment, MemberType>;

/**
 * What became of a body: the object it was bound to, and the path of each error inside it, as ModelState
 * keeps them.
 */
export interface Reading {
  /** `null`: there was no body, or it broke too early to be anything. */
  readonly post: NewMessagePost | null;
  /** Paths below the parameter, in order, one for each error; empty path: the document itself. */
  readonly errors: readonly string[];
}

/** The body is larger than this process will hold; what it says does not matter any more. */
export class TooLarge extends Error {
  constructor() {
    super('Maximum request length exceeded.');
    this.name = 'TooLarge';
  }
}

/**
 * Bounds of one body while it is being read. Above the command's own limits, so that its refusals are the
 * ones seen.
 */
export interface ReadingLimits {
  /** Characters in one string that is kept in memory (a message, a name). */
  readonly textChars: number;
  /** Values that all lists may hold together; see `Budget`. */
  readonly values: number;
  /** Errors that are collected before reading stops, and the characters of their paths together. */
  readonly errors: number;
  readonly errorChars: number;
}
export const readingLimits: ReadingLimits = {
  textChars: 8 << 20,
  values: 1_000_000,
  errors: 1_000,
  errorChars: 20_000,
};

/**
 * What an object takes in memory, in values of eight bytes; a name by which a value can be referred to takes
 * as much.
 */
export const objectValues = 16;

/** Bounds the memory that lists take, however long they are: an empty item is a few characters of a body. */
export class Budget {
  #left: number;

  constructor(values: number) {
    this.#left = values;
  }

  /** @throws {TooLarge} */
  spend(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw new TooLarge();
  }
}
