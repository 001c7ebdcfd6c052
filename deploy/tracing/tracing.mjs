// Traces of Gatehouse, loaded before it: docs/operations/tracing.md. Copy it into a folder of its own, in which the five
// packages are installed; it finds them beside itself. OTEL_ variables say where spans go and how many are taken.
import { register } from 'node:module';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';

// Without it nothing that an ES module imports is instrumented, and Gatehouse has no other modules.
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

new NodeSDK({
  instrumentations: [
    new HttpInstrumentation({
      // A complete verification URI has the user code in its query, a callback the upstream's code.
      redactedQueryParamsServer: ['user_code', 'code', 'state', 'ticket', 'session_state'],
      // Probes and Prometheus would be most of all spans.
      ignoreIncomingRequestHook: ({ url = '' }) => ['/healthz', '/readyz', '/metrics'].includes(url),
      disableOutgoingRequestInstrumentation: true,
    }),
    // Upstreams; their addresses have no query but in a sign-in, to which the browser goes.
    new UndiciInstrumentation(),
    // `trace_id` and `span_id` in the log lines of a request: from a person's reference to its trace.
    new PinoInstrumentation({ disableLogSending: true }),
    // The command alone: its keys hold addresses of people, and a script's text is long.
    new IORedisInstrumentation({ dbStatementSerializer: (command) => command }),
  ],
}).start();
