/** Relay's global object identification: base64 of `Type:id`. */
export function encodeGlobalId(type: string, id: number | string): string {
  return Buffer.from(`${type}:${id}`).toString('base64');
}

/** The integer behind a global id of one type, or undefined when it is not one. */
export function decodeGlobalId(type: string, globalId: string): number | undefined {
  const text = Buffer.from(globalId, 'base64').toString('latin1');
  const digits = text.startsWith(`${type}:`) ? text.slice(type.length + 1) : '';
  const id = /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : 0;
  return id > 0 && id <= 2_147_483_647 ? id : undefined;
}
