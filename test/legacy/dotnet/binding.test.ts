import { describe, expect, test } from 'vitest';
import { parseMediaType } from '../../../src/legacy/dotnet/media-type.ts';
import { selectCharset, selectReader } from '../../../src/legacy/dotnet/negotiation.ts';
import { bodyOf, cases } from '../cases.ts';
import { bind } from './bind.ts';

describe('binds each observed body to the object that the old service bound', () => {
  const bodies = cases.filter((c) => c.bound !== undefined && bodyOf(c).length > 0);

  test.each(bodies.map((c) => [c.id, c.name, c] as const))('%s %s', async (_id, _name, legacy) => {
    const contentType = parseMediaType(legacy.headers['Content-Type']);
    const format = selectReader(contentType);
    if (!format) return;
    for (const size of [1, 7, 65_536]) {
      const { post, errors } = await bind(format, selectCharset(contentType), bodyOf(legacy), size);
      expect(post).toEqual(legacy.bound);
      const body = legacy.expect.body ?? legacy.expect.bodyUtf16leWithBom ?? '';
      expect(errors.length > 0).toBe(body.includes('ModelState'));
      if (body.startsWith('{') && errors.length > 0) {
        const { ModelState } = JSON.parse(body) as { ModelState: Record<string, string[]> };
        const expected = Object.entries(ModelState).flatMap(([key, texts]) => texts.map(() => key));
        expect(errors.map((path) => (path === '' ? 'post' : `post.${path}`)).sort()).toEqual(expected.sort());
      }
    }
  });
});
