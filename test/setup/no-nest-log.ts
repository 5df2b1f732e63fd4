import { Logger } from '@nestjs/common';

// What providers log is looked at with spies; otherwise nobody wants to see it.
Logger.overrideLogger(false);
