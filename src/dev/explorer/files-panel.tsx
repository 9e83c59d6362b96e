import { Button, UnStyledButton, useGraphiQL } from '@graphiql/react';
import { type SVGAttributes, useId, useRef, useState, useSyncExternalStore } from 'react';
import type { PickedFile } from './fetch/picked-files.ts';
import { addFiles, filesOf, moveFile, removeFile, subscribe } from './fetch/picked-files.ts';
import { findOperation, freePath, isUploadPath, uploadPlaces } from './fetch/upload-paths.ts';

export const filesPluginTitle = 'Files';

/** The icon of a panel, with the look of GraphiQL's own. @param props a path in 16 × 16 */
export function PanelIcon(props: SVGAttributes<SVGPathElement>) {
  return (
    <svg
      viewBox="0 0 16 16"
      height="1em"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      aria-hidden="true"
    >
      <path strokeLinejoin="round" {...props} />
    </svg>
  );
}

const clip =
  'm13.4 7.3-5.6 5.6a3.4 3.4 0 0 1-4.8-4.8l6-6a2.3 2.3 0 0 1 3.2 3.2' +
  'l-5.7 5.7a1.1 1.1 0 0 1-1.6-1.6l5.2-5.2';
export const ClipIcon = () => <PanelIcon d={clip} strokeLinecap="round" />;

/** The files of the active tab, and what its operation can do with them. */
export function useFiles() {
  const { tab, schema, documentAST, operationName } = useGraphiQL((state) => ({
    tab: state.tabs[state.activeTabIndex]?.id ?? '',
    schema: state.schema,
    documentAST: state.documentAST,
    operationName: state.operationName,
  }));
  const files = useSyncExternalStore(subscribe, () => filesOf(tab));
  const operation = findOperation(documentAST, operationName);
  const places = schema && operation ? uploadPlaces(schema, operation) : [];
  return { tab, files, places, operation };
}

export function FilesPanel() {
  const { tab, files, places } = useFiles();
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const add = (chosen: Iterable<File>) =>
    addFiles(tab, chosen, (taken) => freePath(places, taken, parse(variableEditor?.getValue())) ?? '');

  return (
    <section className="tw-panel" aria-label="Files">
      <header className="graphiql-doc-explorer-header tw-panel-title">Files</header>
      <p>
        These files are sent with this tab's operation, each one in place of an <code>Upload</code> variable.
        You need not write these places in the variables yourself.
      </p>
      {places.length === 0 && (
        <p className="tw-note" role="note">
          This operation takes no file. Declare a variable that holds an <code>Upload</code>, or open the
          example <b>Upload files</b>.
        </p>
      )}
      <DropZone onFiles={add} />
      {files.length > 0 && (
        <>
          <ol className="tw-files" aria-label="Picked files">
            {files.map((picked) => (
              <FileRow key={picked.id} tab={tab} picked={picked} places={places} files={files} />
            ))}
          </ol>
          <p className="tw-total">
            {files.length} {files.length === 1 ? 'file' : 'files'},{' '}
            {size(files.reduce((sum, { file }) => sum + file.size, 0))}
          </p>
        </>
      )}
    </section>
  );
}

function DropZone({ onFiles }: { onFiles: (files: Iterable<File>) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  return (
    <fieldset
      aria-label="Drop files here"
      className={over ? 'tw-drop tw-drop-over' : 'tw-drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles(event.dataTransfer.files);
      }}
    >
      <Button type="button" onClick={() => input.current?.click()}>
        Choose files…
      </Button>
      <span>or drop them here</span>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Choose files"
        onChange={(event) => {
          onFiles(event.target.files ?? []);
          event.target.value = '';
        }}
      />
    </fieldset>
  );
}

interface FileRowProps {
  tab: string;
  picked: PickedFile;
  places: readonly string[];
  files: readonly PickedFile[];
}

function FileRow({ tab, picked, places, files }: FileRowProps) {
  const id = useId();
  const problem = problemOf(picked, places, files);
  return (
    <li className="tw-file">
      <div className="tw-file-name">
        <ClipIcon />
        <b title={picked.file.name}>{picked.file.name}</b>
        <span>{size(picked.file.size)}</span>
        <UnStyledButton
          type="button"
          className="tw-remove"
          aria-label={`Remove ${picked.file.name}`}
          onClick={() => removeFile(tab, picked.id)}
        >
          ×
        </UnStyledButton>
      </div>
      <label htmlFor={id}>goes to</label>
      <input
        id={id}
        className="tw-path"
        value={picked.path}
        placeholder="input.attachments.0.file"
        spellCheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-problem`}
        onChange={(event) =>
          moveFile(tab, picked.id, event.target.value.trim().replace(/^variables\.|^\$/, ''))
        }
      />
      <p id={`${id}-problem`} className="tw-problem" role="status">
        {problem}
      </p>
    </li>
  );
}

function problemOf(
  { id, path }: PickedFile,
  places: readonly string[],
  files: readonly PickedFile[],
): string | undefined {
  if (path === '') return 'Not sent: say which variable it fills.';
  if (places.length > 0 && !isUploadPath(places, path))
    return `Not an Upload here. Try ${places.join(' or ')}.`;
  if (places.length === 0) return 'Not sent: this operation declares no Upload.';
  return files.some((other) => other.id !== id && other.path === path)
    ? 'Another file goes there too.'
    : undefined;
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text || '{}');
  } catch {
    return {};
  }
}

/** 1,234 bytes are `1.2 KiB`. */
function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
