import { encodeGlobalId } from '../../platform/global-id.ts';
import type { Upload } from '../../tickets/uploads/complete-uploads.ts';
import { uploadFile } from '../../tickets/uploads/upload-form-file.ts';
import { builder } from './builder.ts';
import { resultUnion, writeOrRefusal } from './result-union.ts';

const UploadFileInput = builder.inputType('UploadFileInput', {
  description:
    'A file to upload. Example: `{ file: $file }`, where `$file` is null in the JSON and mapped to a ' +
    'part of the form.',
  fields: (t) => ({
    file: t.field({ type: 'Upload', required: true, description: 'A file of this request.' }),
  }),
});

const PayloadRef = builder.objectRef<Upload>('UploadFilePayload').implement({
  description: 'An uploaded file that belongs to no message yet.',
  fields: (t) => ({
    upload: t.id({
      description: 'Pass it as `AttachmentInput.upload`: by the same user, once, within 24 hours.',
      resolve: ({ id }) => encodeGlobalId('Upload', id),
    }),
    fileName: t.exposeString('fileName', { description: 'Name of the attachment.' }),
    contentType: t.exposeString('contentType', { description: 'Media type as the sender declared it.' }),
    byteSize: t.exposeInt('byteSize', { description: 'Size in bytes.' }),
    sha256: t.string({
      description: 'SHA-256 of its bytes in hexadecimal. Compare it with the file that you sent.',
      resolve: ({ sha256 }) => sha256.toString('hex'),
    }),
  }),
});

const ResultUnion = resultUnion(
  'UploadFileResult',
  'uploadFile',
  PayloadRef,
  'The uploaded file, or the refusal.',
);

builder.mutationField('uploadFile', (t) =>
  t.field({
    type: ResultUnion,
    description: 'Uploads a file for a message that is added later. Needs the scope WRITE.',
    args: { input: t.arg({ type: UploadFileInput, required: true, description: 'The file.' }) },
    resolve: (_root, { input }, ctx) => writeOrRefusal(ctx, () => uploadFile(ctx, input)),
  }),
);
