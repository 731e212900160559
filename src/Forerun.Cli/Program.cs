using System.CommandLine;

return new RootCommand("Speculative edge-cloud decoding with early exits.").Parse(args).Invoke();
