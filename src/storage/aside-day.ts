/** The day of an instant in UTC, `2026-11-28`. A blob that is set aside is filed under it. */
export const dayOf = (instant: Date): string => instant.toISOString().slice(0, 10);
/** Whether the text has the form of `dayOf`: four, two and two digits. The date may be impossible. */
export const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text);
