/** An operation in the Examples panel. */
export interface Example {
  /** Also the title of its tab. */
  readonly operationName: string;
  readonly title: string;
  /** One or two sentences below the title. */
  readonly about: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Whether files are to be picked for it. */
  readonly takesFiles?: boolean;
}

/** A ticket of the demo desk. */
export const ticket = { reference: 'INC-000047' };
