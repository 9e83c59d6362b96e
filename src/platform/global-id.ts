/** Makes a global id of Relay's object identification: base64 of `Type:id`. */
export function encodeGlobalId(type: string, id: number | string): string {
  return Buffer.from(`${type}:${id}`).toString('base64');
}

/**
 * The type and number of a global id. Undefined when it is malformed, has more than 100 characters, or its id
 * is not a number from 1 to 2,147,483,647. Whether the type exists is not checked.
 */
export function parseGlobalId(globalId: string): { type: string; id: number } | undefined {
  // Valid ids have at most 40 characters, but a caller may send millions.
  if (globalId.length > 100) return undefined;
  const [, type, digits] =
    /^(\w+):([1-9]\d{0,9})$/.exec(Buffer.from(globalId, 'base64').toString('latin1')) ?? [];
  const id = Number(digits);
  return type !== undefined && id <= 2_147_483_647 ? { type, id } : undefined;
}

/** The number in a global id of this type; undefined for ids of other types and for malformed ones. */
export function decodeGlobalId(type: string, globalId: string): number | undefined {
  const named = parseGlobalId(globalId);
  return named?.type === type ? named.id : undefined;
}
