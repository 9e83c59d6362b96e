/**
 * Settings that the server passes to the page, as JSON in `<script type="application/json" id="settings">`.
 */
export interface ExplorerSettings {
  /** Path of the GraphQL endpoint. */
  readonly endpoint: string;
  /** Value of the Authorization header that the page signs in with; present only for the demo desk. */
  readonly authorization?: string;
  /** Path of the development inbox, if this process has one. */
  readonly inbox?: string;
}

/**
 * The text of the headers editor in a new tab: JSON with the Authorization header, or a comment with an
 * example.
 */
export function defaultHeaders({ authorization }: ExplorerSettings): string {
  return authorization === undefined
    ? '{\n  // "Authorization": "Bearer <token>"\n}'
    : JSON.stringify({ Authorization: authorization }, null, 2);
}
