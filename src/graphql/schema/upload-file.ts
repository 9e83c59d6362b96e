import { encodeGlobalId } from '../../platform/global-id.ts';
import { uploadFile } from '../../tickets/uploads/form-file.ts';
import type { Upload } from '../../tickets/uploads/keep.ts';
import { builder } from './builder.ts';
import { resultUnion, writeResult } from './refusal.ts';

const UploadFileInput = builder.inputType('UploadFileInput', {
  description:
    'A file to take in. Example: `{ file: $file }`, where `$file` is null in the JSON and mapped to a ' +
    'part of the form.',
  fields: (t) => ({
    file: t.field({ type: 'Upload', required: true, description: 'A file of this request.' }),
  }),
});

const PayloadRef = builder.objectRef<Upload>('UploadFilePayload').implement({
  description: 'A file that is here but belongs to no message yet.',
  fields: (t) => ({
    upload: t.id({
      description: 'For `AttachmentInput.upload`, by the same user, once, within 24 hours.',
      resolve: ({ id }) => encodeGlobalId('Upload', id),
    }),
    fileName: t.exposeString('fileName', { description: 'Name that the attachment will have.' }),
    contentType: t.exposeString('contentType', { description: 'Media type as its sender called it.' }),
    byteSize: t.exposeInt('byteSize', { description: 'Size in bytes.' }),
    sha256: t.string({
      description: 'SHA-256 of its bytes, hexadecimal: compare it with the file that you sent.',
      resolve: ({ sha256 }) => sha256.toString('hex'),
    }),
  }),
});

const ResultUnion = resultUnion('UploadFileResult', 'uploadFile', PayloadRef, 'What `uploadFile` answers.');

builder.mutationField('uploadFile', (t) =>
  t.field({
    type: ResultUnion,
    description: 'Takes a file in before its message is written. Needs the scope WRITE.',
    args: { input: t.arg({ type: UploadFileInput, required: true, description: 'The file.' }) },
    resolve: (_root, { input }, ctx) => writeResult(ctx, () => uploadFile(ctx, input)),
  }),
);
