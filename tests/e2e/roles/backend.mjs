// Answers with its name, once it has read the request; below /never it does not answer.
import { createServer } from 'node:http';

createServer((request, response) => {
  request.resume().on('end', () => {
    if (!request.url.startsWith('/never')) response.end(`${process.env.NAME}\n`);
  });
}).listen(8080);
