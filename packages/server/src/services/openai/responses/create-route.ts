/** @file `POST /v1/responses`. */
import { type CreateResponse, createResponse, type OpenaiResponse, openaiResponse } from "@gristmill/contract";
import { type Answer, type Caller, type Quantity, type Route, type RouteContext, route } from "../../../http/index.ts";
import { answerGeneration, processingHeader } from "../answer-generation.ts";
import { badField } from "../bad-field.ts";
import { tokenBound } from "../charge.ts";
import type { AnswerHead } from "../chat-answer.ts";
import { answererOf, type LanguageModels } from "../language-models.ts";
import { chatBound } from "../prompt-bound.ts";
import { generationBodyLimit, languageRoute, remembered } from "../shared.ts";
import type { BackgroundResponses } from "./background.ts";
import { conversationOf } from "./conversation.ts";
import { ResponseFrames } from "./frames.ts";
import { type PreparedResponse, preparedResponse } from "./request.ts";
import { endedState, inputItemsOf, responseOf, responseUsageOf, suffixOf } from "./response.ts";
import type { ResponseStore } from "./store.ts";
import { ResponseWriter } from "./writer.ts";

/** What the route needs. */
export interface CreateRouteParts {
  readonly models: LanguageModels;
  readonly store: ResponseStore;
  readonly background: BackgroundResponses;
  readonly now: () => Date;
}

const idPrefix = "resp_";

/** The route. */
export function createResponseRoute({ models, store, background, now }: CreateRouteParts): Route {
  // Reserving needs the request too: the conversation is read and images are decoded once.
  const preparedOf = remembered(async (body: CreateResponse, caller: Caller): Promise<PreparedResponse> => {
    requireStore(body);
    const previous = body.previous_response_id;
    return preparedResponse(body, typeof previous === "string" ? await conversationOf(store, caller, previous) : []);
  });
  const estimatesOf = async (body: CreateResponse, caller: Caller): Promise<readonly Quantity[]> => {
    const { request } = await preparedOf(body, caller);
    const { served, contextLength } = await answererOf(models, caller.projectId, body.model);
    const bound = { prompt: chatBound(request), completion: request.maxTokens, answers: 1 };
    return tokenBound("responses", served, [bound], contextLength);
  };

  const queue = async (context: RouteContext<unknown, unknown, CreateResponse>): Promise<Answer> => {
    const begunMs = performance.now();
    const { body, caller, requestId, admittedAt } = context;
    const id = `${idPrefix}${suffixOf(requestId)}`;
    const { name } = await models.describe(caller.projectId, body.model);
    const response = await background.begin({
      frame: { id, created: Math.floor(admittedAt.getTime() / 1000), model: name, body },
      caller,
      requestId,
      prepared: await preparedOf(body, caller),
      input: inputItemsOf(body, id),
      estimates: await estimatesOf(body, caller),
    });
    return { headers: processingHeader(begunMs), body: response };
  };

  return route({
    ...languageRoute,
    method: "POST",
    path: "/v1/responses",
    summary: "Write a response, which is stored",
    body: createResponse,
    model: (_, __, { model }) => model,
    bodyLimit: generationBodyLimit,
    response: openaiResponse,
    charge: {
      reserve: async ({ caller, body }) => {
        const estimates = await estimatesOf(body, caller);
        // What is written later is claimed then, and that claim outlasts the request's.
        return body.background === true ? [] : estimates;
      },
    },
    handler: async (context) => {
      const { body, caller } = context;
      if (body.background === true) return await queue(context);
      const { request, words } = await preparedOf(body, caller);
      const frameOf = ({ id, created, model }: AnswerHead) => ({ id, created, model, body });
      const keep = async (response: OpenaiResponse): Promise<void> => {
        if (response.store) await store.insert(caller.projectId, { response, input: inputItemsOf(body, response.id) });
      };
      return await answerGeneration(models, context, {
        service: "responses",
        idPrefix,
        model: body.model,
        calls: [{ kind: "chat", request }],
        perPrompt: 1,
        words,
        isStream: body.stream === true,
        whole: async (head, generations) => {
          const writer = new ResponseWriter(suffixOf(head.id));
          for await (const { event } of generations.events()) writer.add(event);
          if (writer.ending === undefined) throw new Error("a generation that did not finish");
          const usage = responseUsageOf(generations.usage);
          const ended = endedState(writer.ending, now());
          const response = responseOf(frameOf(head), { output: [...writer.output], usage, ...ended });
          await keep(response);
          return response;
        },
        frames: (head) =>
          new ResponseFrames({ frame: frameOf(head), writer: new ResponseWriter(suffixOf(head.id)), now, keep }),
      });
    },
  });
}

function requireStore({ background, store, stream }: CreateResponse): void {
  if (background !== true) return;
  if (store === false) throw badField("store", "expected true beside `background`: nobody could read the response");
  if (stream === true)
    throw badField("stream", "not supported beside `background`: ask for the response", "unsupported_parameter");
}
