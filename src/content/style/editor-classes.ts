/**
 * CSS declarations by class name, for the classes of editors that do not export their style sheets: Quill
 * (quilljs.com/docs/formats), CKEditor 5 (highlight, font size, alignment of images and tables) and Word's
 * hyperlinks.
 */
export const editorStyles: ReadonlyMap<string, string> = new Map([
  ...['center', 'right', 'justify'].map((side) => [`ql-align-${side}`, `text-align:${side}`] as const),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((level) => [`ql-indent-${level}`, `padding-left:${3 * level}em`] as const),
  ['ql-direction-rtl', 'direction:rtl;text-align:inherit'],
  ['ql-size-small', 'font-size:0.75em'],
  ['ql-size-large', 'font-size:1.5em'],
  ['ql-size-huge', 'font-size:2.5em'],
  ['ql-font-serif', 'font-family:georgia, times new roman, serif'],
  ['ql-font-monospace', 'font-family:monaco, courier new, monospace'],
  ['ql-syntax', 'white-space:pre-wrap;font-family:monospace'],
  ['ql-code-block', 'white-space:pre-wrap;font-family:monospace'],
  ['ql-ui', 'display:none'],
  ['marker-yellow', 'background-color:#fdfd77'],
  ['marker-green', 'background-color:#62f962'],
  ['marker-pink', 'background-color:#fc7899'],
  ['marker-blue', 'background-color:#72ccfd'],
  ['pen-red', 'color:#e71313;background-color:transparent'],
  ['pen-green', 'color:#128a00;background-color:transparent'],
  ['text-tiny', 'font-size:0.7em'],
  ['text-small', 'font-size:0.85em'],
  ['text-big', 'font-size:1.4em'],
  ['text-huge', 'font-size:1.8em'],
  ['Apple-tab-span', 'white-space:pre'],
]);
