// A Worker that runs a case of the codec conformance suite.
import { jsonCodec } from "../../src/codec/json.ts";
import { codecConformance } from "../../src/testing/codec-conformance.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const index = Number(new URL(request.url).searchParams.get("case"));
    try {
      await codecConformance[index]!.run(jsonCodec()); // the test asks for those there are
      return new Response("ok");
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
