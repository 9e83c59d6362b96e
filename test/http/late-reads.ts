/*
 * Loaded before a gateway (`node --import`). It simulates a busy machine: a write begins 10 ms late, and a
 * read reports its result 20 ms late. A reader that assumes the end of a file before it is reported stops too
 * early.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Told = (...result: unknown[]) => void;
const { read, write } = fs as unknown as Record<'read' | 'write', Told>;
const late = {
  read(...parameters: unknown[]) {
    const told = parameters.pop() as Told;
    // Clock: a disk that is slow.
    read(...parameters, (...result: unknown[]) => void setTimeout(told, 20, ...result));
  },
  write(...parameters: unknown[]) {
    // Clock: a disk that is slow.
    setTimeout(() => write(...parameters), 10);
  },
};
// From these, util.promisify takes the names of the callback's results.
Object.defineProperties(late.read, symbolsOf(read));
Object.defineProperties(late.write, symbolsOf(write));
Object.assign(fs, late);
syncBuiltinESMExports();

function symbolsOf(of: object): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.getOwnPropertySymbols(of).map((mark) => [mark, Object.getOwnPropertyDescriptor(of, mark)!]),
  );
}
