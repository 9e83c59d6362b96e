import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/*
 * Traces of OpenTelemetry: off, and not even loaded, until `openTracing`. Spans have names of ours and of the
 * schema, and no text, value, address or SQL: what may not be in a log may not be in a trace.
 */

/** How long a receiver may take, milliseconds; what it does not take then is lost. */
const exportMs = 3000;

let tracer: Tracer | undefined;
const within = new AsyncLocalStorage<Context>();

export { SpanKind };

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** The header of W3C's Trace Context by which a caller says what the span belongs to. */
  readonly traceparent?: string | undefined;
  /** Attributes that are known at the end; a `fault` makes the span one that failed. */
  readonly atEnd?: () => Attributes & { readonly fault?: boolean };
}

/** Runs some work as a span, within the span that it is called in. Without tracing, it only runs it. */
export function inSpan<R>(name: string, options: SpanOptions, work: () => R): R | Promise<Awaited<R>> {
  return tracer === undefined ? work() : traced(tracer, name, options, work);
}

async function traced<R>(
  by: Tracer,
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, traceparent, atEnd = () => ({}) }: SpanOptions,
  work: () => R,
): Promise<Awaited<R>> {
  const parent = within.getStore() ?? contextOf(traceparent);
  const span = by.startSpan(name, { kind, attributes }, parent);
  try {
    return await within.run(trace.setSpan(parent, span), work);
  } catch (error) {
    // Its message may quote a row: its class has to do.
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    throw error;
  } finally {
    const { fault = false, ...rest } = atEnd();
    if (fault) span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttributes(rest);
    span.end();
  }
}

function contextOf(traceparent: string | undefined): Context {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(traceparent ?? '');
  if (match === null || traceparent!.startsWith('ff')) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  const remote: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
}

/** @param endpoint a receiver of OTLP over HTTP, `http://127.0.0.1:4318`; disposing sends what is left */
export async function openTracing(endpoint: string): Promise<AsyncDisposable> {
  const [{ OTLPTraceExporter }, { BatchSpanProcessor, TracerProvider }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/resources'),
    ]);
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: exportMs,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'ticketwire' }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: exportMs })],
  });
  const opened = provider.getTracer('ticketwire');
  tracer = opened;
  return {
    async [Symbol.asyncDispose]() {
      if (tracer === opened) tracer = undefined;
      await provider.shutdown().catch(() => {});
    },
  };
}
