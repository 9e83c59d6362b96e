/** An operation in the Examples panel. */
export interface Example {
  /** Also the title of its tab. */
  readonly operationName: string;
  readonly title: string;
  readonly about: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly takesFiles?: boolean;
}

/** A ticket of the demo desk. */
export const ticket = { reference: 'INC-000047' };
