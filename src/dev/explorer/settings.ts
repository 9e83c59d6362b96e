/** What the server tells the page, as JSON in `<script type="application/json" id="settings">`. */
export interface ExplorerSettings {
  /** Path of the GraphQL endpoint. */
  readonly endpoint: string;
  /** Value of the Authorization header that the page signs in with; only the demo desk gives one. */
  readonly authorization?: string;
  /** Path of the development inbox, when this process has one. */
  readonly inbox?: string;
}

/** What stands in the headers editor of every new tab. */
export function defaultHeaders({ authorization }: ExplorerSettings): string {
  return authorization === undefined
    ? '{\n  // "Authorization": "Bearer <token>"\n}'
    : JSON.stringify({ Authorization: authorization }, null, 2);
}
