import type { MappedFile } from './fetcher.ts';

/** A file that was picked for a tab. Files are kept in memory, until the page is closed or reloaded. */
export interface PickedFile extends MappedFile {
  /** Unique among the files of all tabs. */
  readonly id: number;
  readonly file: File;
}

/*
 * The files that were picked, by tab: what is attached to one operation is never sent with another. They live
 * in memory; a browser gives no way of keeping a File across a reload.
 */
const byTab = new Map<string, readonly PickedFile[]>();
const listeners = new Set<() => void>();
const none: readonly PickedFile[] = [];
let nextId = 1;
let activeTab = '';

/** The files that were picked for a tab, in the order of picking; the same list until it changes. */
export const filesOf = (tab: string): readonly PickedFile[] => byTab.get(tab) ?? none;
/** The files that were picked for the active tab. */
export const activeFiles = (): readonly PickedFile[] => filesOf(activeTab);

/** Sets the active tab. Listeners are not called. */
export function setActiveTab(tab: string): void {
  activeTab = tab;
}

/**
 * Adds files to a tab.
 * @param pathFor chooses the path of a file, given those that are taken
 */
export function addFiles(
  tab: string,
  files: Iterable<File>,
  pathFor: (taken: ReadonlySet<string>) => string,
): void {
  const list = [...filesOf(tab)];
  for (const file of files) {
    const path = pathFor(new Set(list.map((picked) => picked.path)));
    list.push({ id: nextId++, file, path });
  }
  update(tab, list);
}

/** Changes the path of a file. Nothing changes if the tab has no file with this id. */
export function moveFile(tab: string, id: number, path: string): void {
  update(
    tab,
    filesOf(tab).map((picked) => (picked.id === id ? { ...picked, path } : picked)),
  );
}

/** Removes a file from a tab, if it is there. */
export function removeFile(tab: string, id: number): void {
  update(
    tab,
    filesOf(tab).filter((picked) => picked.id !== id),
  );
}

/**
 * Calls the listener after each change of the files of any tab.
 * @returns a function that ends this
 */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function update(tab: string, files: readonly PickedFile[]): void {
  byTab.set(tab, files);
  for (const listener of listeners) listener();
}
