/** When this process last heard of a redaction, by `performance.now()`. */
let heardAt = Number.NEGATIVE_INFINITY;

/**
 * Records the time at which this process learned of a redaction, by its own command or from an event that it
 * read. Rows that were loaded for watchers before that time must not be shown to any other watcher: see
 * `mayBeRedacted`.
 */
export function noteRedaction(): void {
  heardAt = performance.now();
}

/**
 * Whether rows that were loaded at an instant may contain content that has been redacted since: whether this
 * process has learned of any redaction after that instant.
 * @param loadedAt by `performance.now()`
 */
export const mayBeRedacted = (loadedAt: number): boolean => loadedAt < heardAt;
