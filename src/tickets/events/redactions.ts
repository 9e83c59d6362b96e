/** When this process last heard of a redaction, by `performance.now()`. */
let heardAt = Number.NEGATIVE_INFINITY;

/**
 * Notes that something was redacted: by a command of this process, or by an event that it read. What was
 * loaded for watchers before is not shown to another one.
 */
export function noteRedaction(): void {
  heardAt = performance.now();
}

/** Whether what was loaded at an instant of `performance.now()` may contain what has been redacted since. */
export const mayBeRedacted = (loadedAt: number): boolean => loadedAt < heardAt;
