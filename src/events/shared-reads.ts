/** Reads that are under way, by name. No result is kept after its read has ended. */
export class SharedReads<T> {
  readonly #underway = new Map<string, Promise<T>>();

  /**
   * Joins the read of this name that is under way, or begins it. All who joined get its result or its error.
   */
  read(name: string, begin: () => Promise<T>): Promise<T> {
    let reading = this.#underway.get(name);
    if (reading === undefined) {
      reading = begin().finally(() => this.#underway.delete(name));
      this.#underway.set(name, reading);
    }
    return reading;
  }
}
