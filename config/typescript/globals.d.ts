// What the browser has beyond TypeScript's own description of it: htmx and its events, as far as
// static/js uses them.

interface Window {
  /** Missing until its script has run, and for ever where that could not be loaded. */
  htmx?: Htmx;
}

interface Htmx {
  process(element: Element): void;
  ajax(method: string, path: string, options: Record<string, unknown>): Promise<void>;
}

interface HtmxRequest {
  /** The address without what stands behind its "#". */
  action: string;
  method: string;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** The form's button that was pressed. */
  submitter?: HTMLElement | null;
}

/** Of one request: the same object in all of its events. */
interface HtmxContext {
  sourceElement: Element;
  target: Element | null;
  request: HtmxRequest;
  /** Set by a module of ours to ask in its own way. */
  fetch?: (address: RequestInfo, request: RequestInit) => Promise<Response>;
  /** Set by navigation.js: the whole page is asked for, not a fragment. */
  isWhole?: boolean;
  /** The page's new title, where the answer has one. */
  title?: string;
}

/** Once an answer is there. */
interface HtmxAnswered extends HtmxContext {
  /** None of our forms is sent as multipart/form-data from the pages that look at the body. */
  request: HtmxRequest & { body: URLSearchParams };
  response: { raw: Response; status: number };
  text: string;
}

/** One place of the page that an answer changes. */
interface HtmxSwapTask {
  target?: Element | string | null;
  fragment: DocumentFragment;
}

/** The WebSocket extension's. */
interface HtmxConnection {
  url: string;
  socket: WebSocket | null;
}

interface HtmxEvents {
  "htmx:config:request": { ctx: HtmxContext };
  "htmx:before:request": { ctx: HtmxContext };
  "htmx:after:request": { ctx: HtmxAnswered };
  "htmx:finally:request": { ctx: HtmxContext };
  "htmx:error": { ctx?: HtmxContext; error: unknown };
  "htmx:before:swap": { ctx: HtmxContext; tasks: HtmxSwapTask[] };
  "htmx:after:swap": { ctx: HtmxContext };
  "htmx:before:history:restore": { path: string };
  "htmx:before:history:update": { history: { type: "push" | "replace"; path: string } };
  "htmx:after:history:push": { path: string };
  "htmx:after:history:replace": { path: string };
  "htmx:ws:before:connection": { connection: HtmxConnection };
  "htmx:ws:after:connection": { connection: HtmxConnection };
  "htmx:ws:before:message:incoming": {
    connection: HtmxConnection;
    message: MessageEvent<string>;
    cancelled: boolean;
  };
  /** `code` is null where no open line was closed. */
  "htmx:ws:close": { connection: HtmxConnection; code: number | null };
}

type AsCustomEvents<Events> = { [Name in keyof Events]: CustomEvent<Events[Name]> };

interface DocumentEventMap extends AsCustomEvents<HtmxEvents> {}
