import { Html } from './html-template.ts';

/**
 * Embeds settings as JSON in a page. Its script reads them with
 * `JSON.parse(document.getElementById('settings').textContent)`.
 */
export function embeddedSettings(settings: object): Html {
  // No `<` may stand in it: `</script>` would end the element.
  const json = JSON.stringify(settings).replaceAll('<', '\\u003c');
  return new Html(`<script type="application/json" id="settings">${json}</script>`);
}
