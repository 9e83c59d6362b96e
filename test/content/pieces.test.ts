import { expect, test } from 'vitest';
import { checkHtml, readBody } from '../../src/content/read-message-body.ts';
import { tasks } from '../../src/content/thread-tasks.ts';
import { sampled } from '../support/soak.ts';

/* Long text is transformed in pieces of 64 Ki characters. What is near an end of a piece must not show it. */

const around = (what: string) => [-2, -1, 0, 1].map((by) => `${'x'.repeat(65_536 + by)}${what}z`);
const html = (body: string) => tasks.read({ body, format: 'HTML', remotePictures: 'HELD' });

test('a line end is one line end, wherever it stands', () => {
  for (const end of ['\r\n', '\r', '\n'])
    for (const body of around(end)) {
      const read = html(`<pre>${body}</pre>`);
      expect(read.text.split('\n').map((line) => line.length)).toEqual([body.length - end.length - 1, 1]);
      const plain = tasks.read({ body, format: 'TEXT', remotePictures: 'HELD' });
      expect(plain.html.match(/<br>\n/g)).toHaveLength(1);
    }
});

test('a run of blanks is one blank, wherever it stands', () => {
  for (const run of ['  ', ' \n', '\t\t\t', '\r\n ', ' '.repeat(200_000)])
    for (const body of around(run)) expect(html(body).text).toMatch(/^x+ z$/);
});

test('marks are escaped, wherever they stand', () => {
  for (const body of around('&<&')) {
    const { html: written, text } = html(body);
    expect(written).toMatch(/^x+&amp;&lt;&amp;z$/);
    expect(text).toBe(body);
  }
});

test('a large body is judged as it is read', async () => {
  const large = (body: string) => `${body}${'<p>x</p>'.repeat(10_000)}`;
  const bodies = [
    large('<script>x</script><a href="ftp://x">y</a>'),
    large('<math>x</math><p style="position:fixed">y'),
    `${'<div>'.repeat(600)}x${'</div>'.repeat(20_000)}`,
    `<p>${' '.repeat(70_000)}</p>`,
    `<img src="cid:a">${' '.repeat(70_000)}`,
  ];
  for (const body of sampled(bodies, 3)) {
    const { blank, needsFiles, changes } = await readBody(body, 'HTML');
    expect(await checkHtml(body)).toEqual({ blank, needsFiles, changes });
  }
});
