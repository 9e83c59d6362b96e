import type { Spool } from './file-spool.ts';

/**
 * The name of the old action's parameter, with which the keys of ModelState begin. Its real name is not
 * known.
 */
export const parameter = 'post';

/** XML namespaces of the old service's types. */
export const namespaces = {
  posts: 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts',
  results: 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Results',
  data: 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStructures',
  arrays: 'http://schemas.microsoft.com/2003/10/Serialization/Arrays',
  instance: 'http://www.w3.org/2001/XMLSchema-instance',
  serialization: 'http://schemas.microsoft.com/2003/10/Serialization/',
} as const;

/** An attachment as the old service bound it. */
export interface NewAttachment {
  FileName: string | null;
  ContentType: string | null;
  /** As the client declared it; it may differ from the data. */
  ContentLength: number;
  /** The file, complete. */
  Data: Spool | null;
}

/** The body of NewMessage as the old service bound it. Members are in the help page's order. */
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

/** A new post in which each member has its default. */
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

/** A new attachment in which each member has its default. */
export function emptyAttachment(): NewAttachment {
  return { FileName: null, ContentType: null, ContentLength: 0, Data: null };
}

/** A member's type. `int?` may be null, `int` and `bool` may not. */
export type MemberType = 'string' | 'int?' | 'int' | 'bool' | 'bytes' | 'strings' | 'attachments';
/** Types of the members of an object, by name. */
export type MemberTypes = Readonly<Record<string, MemberType>>;
/** The types with members: the body itself, and one of its attachments. */
export type Shape = 'post' | 'attachment';
/** The type of a value in a body. */
export type ValueType = MemberType | Shape;
/** A post or an attachment while its members are being read. */
export type BoundObject = Record<string, unknown>;

/** The members of a post and their types. */
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

/** The members of an attachment and their types. */
export const attachmentMembers = {
  FileName: 'string',
  ContentType: 'string',
  ContentLength: 'int',
  Data: 'bytes',
} as const satisfies Record<keyof NewAttachment, MemberType>;

/** The result of reading a body: the bound object, and the path of each error, as in ModelState. */
export interface Reading {
  /**
   * Null: there was no body, it is null, or reading had to stop at an error. With errors, it is not to be
   * used.
   */
  readonly post: NewMessagePost | null;
  /** Paths below the parameter, one for each error, in order. An empty path means the document itself. */
  readonly errors: readonly string[];
}
