import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deviceGround, deviceScenarios } from '../device-scenarios.ts';
import { cacheFolder, once, shortHash } from '../obtain/cache.ts';
import type { Peer } from '../peer.ts';
import { obtainBy } from '../program.ts';

const SOURCE = new URL('../programs/nimbus/', import.meta.url).pathname;
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

export const nimbus: Peer = {
  name: 'nimbus',
  kind: 'client',
  from: 'Maven Central oauth2-oidc-sdk',
  limitSeconds: 240,
  async open() {
    const [pom = '', code] = await Promise.all(
      ['pom.xml', 'Device.java'].map((name) => readFile(join(SOURCE, name), 'utf8')),
    );
    const folder = await once(cacheFolder('nimbus', shortHash(`${pom}${code}`)), async (empty) => {
      await cp(SOURCE, empty, { recursive: true });
      await obtainBy(['mvn', '-q', '-B', COPY, '-DoutputDirectory=lib'], { cwd: empty });
      await obtainBy(['javac', '-cp', 'lib/*', '-d', 'out', 'Device.java'], { cwd: empty });
    });
    const ground = await deviceGround();
    const program = { command: ['java', '-cp', `${folder}/lib/*:${folder}/out`, 'Device'] };
    return {
      version: /<artifactId>oauth2-oidc-sdk<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1] ?? '',
      scenarios: deviceScenarios(ground, program),
      close: () => ground.close(),
    };
  },
};
