import type { InlinePart } from './compose.ts';
import type { AttachmentPart } from './parts.ts';

const entities: Record<string, string> = {
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
};

/**
 * Finds the files that sanitised HTML shows by `cid:<filename>` and names each by a Content-ID of this mail's own, as a file's name
 * is no valid one. A `cid:` that no file answers stays as it is; files that are not shown stay attachments.
 */
export function inlineImages(
  html: string,
  attachments: readonly AttachmentPart[],
  seed: string,
): { html: string; inline: readonly InlinePart[]; attached: readonly AttachmentPart[] } {
  const byName = new Map(attachments.toReversed().map((part) => [part.fileName, part]));
  const shown = new Map<AttachmentPart, InlinePart>();
  const rewritten = html.replace(
    /(<img\s[^<>]*?src=")cid:([^"]*)"/gi,
    (whole, before: string, written: string) => {
      const part = byName.get(fileNameOf(written));
      if (part === undefined) return whole;
      const known = shown.get(part) ?? { part, contentId: `${shown.size + 1}.${seed}@inline` };
      shown.set(part, known);
      return `${before}cid:${known.contentId}"`;
    },
  );
  return {
    html: rewritten,
    inline: [...shown.values()],
    attached: attachments.filter((part) => !shown.has(part)),
  };
}

function fileNameOf(written: string): string {
  const name = written.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => entities[entity]!);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
