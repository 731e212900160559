using System.CommandLine;
using Forerun.Cli;
using Forerun.Cli.Chatting;
using Forerun.Cli.Commands;

Terminal.UnwrapRedirectedTables();
var root = new RootCommand("Forerun: speculative edge-cloud decoding. The text is exactly the target model's own.")
{
    GenerateCommand.Create(),
    EdgeCommand.Create(),
    ChatCommand.Create(),
    ServeCommand.Create(),
    InspectCommand.Create(),
    BenchCommand.Create(),
    CompareCommand.Create(),
    DemoCommand.Create(),
    TrainExitsCommand.Create(),
};
var parsed = root.Parse(args);
var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
if (parsed.CommandResult.Command.Name == ChatCommand.Name)
{
    // There Ctrl+C stops an answer, not the program.
    configuration.ProcessTerminationTimeout = null;
}

return parsed.Errors.Count > 0
    ? Math.Max(ExitCodes.Usage, parsed.Invoke(configuration))
    : await Failures.GuardAsync(() => parsed.InvokeAsync(configuration));
