import { expect, test } from 'vitest';
import { pictureFinder } from '../../../src/mail/compose/find-pictures.ts';
import { cleanFileName } from '../../../src/tickets/clean-file-metadata.ts';

const stored = (name: string) => ({ fileName: cleanFileName(name, 0), contentType: 'image/png', name });

test('pictures whose long names differ only behind the cut are each shown where their own name is', () => {
  const names = ['1', '2', '3'].map((n) => `${'Příloha č. '.repeat(30)}${n}.png`);
  const find = pictureFinder(names.map(stored));
  for (const name of [...names].reverse()) {
    expect(find(name)?.name).toBe(name);
    expect(find(encodeURIComponent(name))?.name).toBe(name);
    expect(find(name.normalize('NFD'))?.name).toBe(name);
  }
  expect(find(names[1]!.toUpperCase())?.name).toBe(names[1]);
});

test('a name that looks shortened, and is short, is its own', () => {
  const find = pictureFinder(['a~12345678.png', 'b~12345678.png'].map(stored));
  expect(find('b~12345678.png')?.name).toBe('b~12345678.png');
  expect(find('B~12345678.PNG')?.name).toBe('b~12345678.png');
});
