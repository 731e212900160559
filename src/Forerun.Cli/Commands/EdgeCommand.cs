using System.CommandLine;
using Forerun.Cli.Running;
using Forerun.Inference.Drafting;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun edge</c>: drafts here, verified by a server; for one prompt, or for OpenAI's clients.</summary>
internal static class EdgeCommand
{
    private const int WarmUpTokens = 24;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var prompt = new Argument<string>("prompt")
        {
            Description = "What to say to the model.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var listen = EdgeListener.CreateOption();
        var edge = new EdgeOptions();
        var warmUp = new Option<bool>("--warm-up")
        {
            Description = "Decode a few tokens first, so that the figures are not those of a cold start.",
        };
        var explain = new Option<bool>("--explain")
        {
            Description = "With --mode auto: tell each change of mode or draft length, and why, on standard error.",
        };
        var report = new Option<string?>("--report") { Description = "Also write the JSON document to this file." };
        var emulate = EmulateOption.Create("drafting");
        var command = new Command("edge", "Draft on this machine, let a server verify.")
        {
            prompt, listen, warmUp, explain, report, options.KeepAwake, emulate,
        };
        edge.AddTo(command, options, needsServer: true);
        command.Validators.Add(result =>
        {
            EdgeListener.Validate(
                result,
                prompt,
                listen,
                [.. options.Generation, warmUp, explain, report]);
            if (result.GetResult(listen) is { Tokens.Count: > 0 } && result.GetResult(edge.Server) is null)
            {
                result.AddError($"{listen.Name} serves a target's text: name its server with {edge.Server.Name}.");
            }
        });
        options.AddGeneration(command);
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var emulated = EmulateOption.Profile(parsed, emulate);
            var urls = parsed.GetValue(listen) ?? [];

            // A prompt takes the target as it is; who listens serves one target, and no other behind the same address.
            var targetId = urls.Length == 0
                ? ""
                : await EdgeListener.TargetIdAsync(parsed.GetRequiredValue(edge.Server)!, cancellationToken);
            using var setup = await EdgeSetup.LoadAsync(parsed, edge, options, emulated, targetId, cancellationToken);
            if (urls.Length > 0)
            {
                return await EdgeListener.RunAsync(setup, urls, parsed.GetValue(options.Json), cancellationToken);
            }

            var request = options.Request(parsed, setup.Draft.Text, parsed.GetRequiredValue(prompt), setup.Mode);
            if (parsed.GetValue(warmUp))
            {
                await setup.Decoder.CompleteAsync(request with { MaxTokens = WarmUpTokens }, cancellationToken);
            }

            var run = new GenerationRun(setup.Decoder, setup.Draft.Tokenizer, setup.Draft.Name)
            {
                Explain = parsed.GetValue(explain) ? Console.Error.WriteLine : null,
                Emulated = setup.Draft.Drafter as EmulatedDrafter,
            };
            var output = new GenerationOutput(parsed.GetValue(options.Json), parsed.GetValue(report));
            return await output.ShowAsync(run, setup.ModelName, request, cancellationToken);
        });
        return command;
    }
}
