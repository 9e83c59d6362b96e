/*
 * Loaded before a gateway (`node --import`): a machine so busy that a write takes 10 ms to begin, and that
 * what a read found is told 20 ms after it was found. A reader that takes the end of a file for known, and is
 * not told of it, stops too early.
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
// By these, util.promisify knows the names of what the callback is told.
Object.defineProperties(late.read, symbolsOf(read));
Object.defineProperties(late.write, symbolsOf(write));
Object.assign(fs, late);
syncBuiltinESMExports();

function symbolsOf(of: object): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.getOwnPropertySymbols(of).map((mark) => [mark, Object.getOwnPropertyDescriptor(of, mark)!]),
  );
}
