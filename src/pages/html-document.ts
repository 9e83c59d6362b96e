import { type Html, html } from './html-template.ts';

/**
 * A whole HTML document in English, for operators: in light and dark, not indexed by search engines.
 * @param title is escaped. It is shown without characters that turn the direction of text, as a browser's tab
 *   has no elements that would end it
 * @param head further elements of its head
 */
export const htmlDocument = (title: string, head: Html, body: Html): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title.replace(/\p{Bidi_Control}/gu, '')}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`.toString();
