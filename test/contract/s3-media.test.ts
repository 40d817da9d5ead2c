import { createS3MediaObjects } from "../../src/stores/s3/media-objects.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { makeBucket } from "../helpers/s3-bucket.ts";
import { describeMediaObjects, type MediaObjectsHarness } from "./media-objects.contract.ts";

describeOn(["s3"], "on the object store", () => {
  describeMediaObjects("s3", async (): Promise<MediaObjectsHarness> => {
    const bucket = await makeBucket();
    const objects = createS3MediaObjects(bucket.options);
    return {
      objects,
      base: "",
      async [Symbol.asyncDispose]() {
        objects.close();
        await bucket[Symbol.asyncDispose]();
      },
    };
  });
});
