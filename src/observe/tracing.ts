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
 * OpenTelemetry traces. They are off, and their packages are not loaded, until `openTracing` is called. Spans
 * contain our names and those of the schema, but no text, value, address or SQL: what must not be logged must
 * not be traced.
 */

/** Time limit for an export, milliseconds. Spans that are not exported by then are lost. */
const exportMs = 3000;

let tracer: Tracer | undefined;
const within = new AsyncLocalStorage<Context>();

/** OpenTelemetry's kinds of spans. */
export { SpanKind };

/** How to record a span. */
export interface Span {
  readonly name: string;
  /** INTERNAL by default. */
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /**
   * The caller's `traceparent` header (W3C Trace Context). The span becomes a part of that trace, unless it
   * is inside another span. A malformed header is ignored.
   */
  readonly traceparent?: string | undefined;
  /**
   * Called when the work has ended, also when it has failed. Returns further attributes; `fault: true` marks
   * the span as failed.
   */
  readonly atEnd?: () => Attributes & { readonly fault?: boolean };
}

/**
 * Runs some work as a span, which is a child of the span that it is called in. Without tracing, it only runs
 * the work.
 * @param describe called with tracing only
 * @returns the work's result: unchanged if tracing is off, as a promise if it is on. An error of the work is
 *   thrown unchanged, with tracing as a rejection; the span records only its class, because its message may
 *   quote a row
 */
export function inSpan<R>(describe: () => Span, work: () => R): R | Promise<Awaited<R>> {
  return tracer === undefined ? work() : traced(tracer, describe(), work);
}

/**
 * Begins what outlives the request that is the first to need it, such as a connection that all share: what it
 * causes later is no part of that request's trace.
 */
export const outsideSpans = <R>(begin: () => R): R => within.exit(begin);

async function traced<R>(
  by: Tracer,
  { name, kind = SpanKind.INTERNAL, attributes = {}, traceparent, atEnd = () => ({}) }: Span,
  work: () => R,
): Promise<Awaited<R>> {
  const parent = within.getStore() ?? contextOf(traceparent);
  const span = by.startSpan(name, { kind, attributes }, parent);
  try {
    return await within.run(trace.setSpan(parent, span), work);
  } catch (error) {
    // Only the class is recorded, because the message may quote a row.
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

/**
 * Starts tracing in this process. Disposing of the result stops it and exports the remaining spans. An export
 * that fails or takes longer than 3 seconds loses its spans, and nothing else.
 * @param endpoint a receiver of OTLP over HTTP: `http://127.0.0.1:4318`
 */
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
