const pageBits = 1 << 16;

/**
 * A set of ids (whole numbers from 0) as a bitmap, in pages of 65,536 ids. Dense ids take an eighth of a byte
 * each, so ten million messages take 1.3 MB.
 */
export class IdSet {
  readonly #pages = new Map<number, Uint32Array>();

  has(id: number): boolean {
    const page = this.#pages.get(Math.floor(id / pageBits));
    const bit = id % pageBits;
    return page !== undefined && ((page[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }

  add(id: number): void {
    const number = Math.floor(id / pageBits);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint32Array(pageBits / 32);
      this.#pages.set(number, page);
    }
    const bit = id % pageBits;
    page[bit >>> 5]! |= 1 << (bit & 31);
  }
}
