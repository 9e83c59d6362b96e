import { Html } from './html-template.ts';

/**
 * Makes a `script` element that has settings as JSON, which no browser executes and whose content cannot end
 * the element. The page's script reads them with
 * `JSON.parse(document.getElementById('settings').textContent)`.
 */
export function embeddedSettings(settings: object): Html {
  // No `<` may stand in it: `</script>` would end the element.
  const json = JSON.stringify(settings).replaceAll('<', '\\u003c');
  return new Html(`<script type="application/json" id="settings">${json}</script>`);
}
