/** When this process last heard of a redaction, by `performance.now()`. */
let heardAt = Number.NEGATIVE_INFINITY;

/**
 * Records the time at which this process learned of a redaction, by its own command or from an event that it
 * read. What was loaded for watchers before that must not be shown to another one: see `mayBeRedacted`.
 */
export function noteRedaction(): void {
  heardAt = performance.now();
}

/**
 * Whether what was loaded at an instant may contain what has been redacted since: whether this process has
 * learned of any redaction after it.
 * @param loadedAt by `performance.now()`
 */
export const mayBeRedacted = (loadedAt: number): boolean => loadedAt < heardAt;
