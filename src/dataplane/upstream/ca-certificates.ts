import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';

/** Where the distributions keep the bundle of the system's CAs. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * PEM texts of the CAs that upstreams are verified against: the system's and those of Node. `SSL_CERT_FILE` names another
 * bundle, as for OpenSSL. An unreadable bundle is passed over: the others still verify.
 */
export function caCertificates(env: Readonly<Record<string, string | undefined>>): string[] {
  const named = env['SSL_CERT_FILE'];
  const certificates = [...tls.rootCertificates];
  for (const file of named === undefined ? bundles : [named]) {
    try {
      certificates.push(readFileSync(file, 'utf8'));
      break;
    } catch {
      continue;
    }
  }
  const extra = env['NODE_EXTRA_CA_CERTS'];
  if (extra !== undefined && extra !== '') {
    try {
      certificates.push(readFileSync(extra, 'utf8'));
    } catch {
      // Node itself warns about it at start.
    }
  }
  return certificates;
}
