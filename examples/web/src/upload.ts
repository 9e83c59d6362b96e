/** Sends a file by itself; its id goes into `attachments: [{ upload }]`. */
export function upload(
  file: File,
  authorization: string,
  onProgress: (part: number) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    // XMLHttpRequest, because fetch does not report the progress of an upload.
    const request = new XMLHttpRequest();
    request.open('POST', '/uploads');
    request.setRequestHeader('Authorization', authorization);
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.setRequestHeader(
      'Content-Disposition',
      `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    );
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onerror = () => reject(new Error(`${file.name} was not sent: no connection.`));
    request.onload = () => {
      if (request.status === 201) return resolve(request.response.upload);
      reject(new Error(`${file.name} was not taken: ${request.response?.detail ?? request.status}`));
    };
    request.send(file);
  });
}
