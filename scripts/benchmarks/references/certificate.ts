// A throw-away certificate for the reference servers, so that both sides of a comparison are encrypted.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/**
 * Writes a self-signed P-256 certificate for `localhost` into the folder.
 * @throws where the openssl command is missing
 */
export async function createCertificate(folder: string): Promise<CertificateFiles> {
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-days', '2', '-keyout', files.key, '-out', files.certificate]
  ])
  return files
}
