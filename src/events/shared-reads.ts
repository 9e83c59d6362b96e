/** Reads that are under way, by name. Who asks for the same meanwhile gets the same result. */
export class SharedReads<T> {
  readonly #underway = new Map<string, Promise<T>>();

  read(name: string, begin: () => Promise<T>): Promise<T> {
    let reading = this.#underway.get(name);
    if (reading === undefined) {
      reading = begin().finally(() => this.#underway.delete(name));
      this.#underway.set(name, reading);
    }
    return reading;
  }
}
