/**
 * The commands of the documents that `commands.test.ts` does not run, and why. Each pattern must match a
 * command that is there.
 */
export const notRun: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^npm (ci|start)\b/, 'test:install runs both in an empty folder, test:examples those of examples/web'],
  [/^npm run dev\b/, 'it runs until somebody stops it; test:examples serves the built page'],
  [/^export [A-Z_]+=/, 'its value stands for one of yours'],
  [/ events --follow\b/, 'it runs until somebody stops it: test/cli/events.test.ts'],
  [/ webhook /, 'its endpoint is not there: test/cli/webhooks.test.ts'],
  [/^npx vitest run/, 'it is a test itself'],
  [
    /^npm run (format|schema|codegen|settings|migration)\b/,
    'it writes into the tree; npm test checks what it wrote',
  ],
  [/^eval /, 'it defines a function in the reader’s shell: test/cli/terminal.test.ts'],
  [/^journalctl /, 'needs systemd'],
  [/^(adduser|git clone) /, 'changes the machine'],
  [/^(pg_dump|pg_restore|createdb|rsync) /, 'npm run test:restore does it, with Debian’s PostgreSQL'],
  [/ outbox release --doubt/, 'a desk is released once; the line before has done so'],
  [/^node examples\/node\/watch\.js/, 'it runs until somebody stops it: npm run test:examples'],
  [/^(python3|php|mcs|mono) /, 'needs the language: npm run test:examples'],
  [/^tail -c /, 'only after an upload was cut: test/http/uploads/resumable.test.ts'],
];
