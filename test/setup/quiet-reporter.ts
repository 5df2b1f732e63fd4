import { MinimalReporter, type Vitest } from 'vitest/node';

/** Tells of failures and of the sum, without a banner that names folders of this machine. */
export default class QuietReporter extends MinimalReporter {
  override onInit(vitest: Vitest): void {
    vitest.logger.printBanner = () => undefined;
    super.onInit(vitest);
  }
}
