using System.CommandLine;
using Forerun.Cli.Running;
using Forerun.Edge;
using Forerun.Edge.Generation;
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
            prompt, listen, warmUp, explain, report, emulate,
        };
        edge.AddTo(command, options, needsServer: true);
        command.Validators.Add(result =>
        {
            EdgeListener.Validate(
                result,
                prompt,
                listen,
                [.. options.Generation, edge.Drafter.Kind, edge.Tokenizer, edge.Fallback, warmUp, explain, report]);
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
            if (parsed.GetValue(listen) is { Length: > 0 } urls)
            {
                return await EdgeListener.RunAsync(
                    new ForerunEdgeOptions
                    {
                        Server = parsed.GetRequiredValue(edge.Server)!,
                        DraftModelPath = BundledModels.Draft(parsed.GetValue(options.DraftModel)),
                        Engine = options.Engine(parsed),
                        Emulated = emulated,
                        Generation = new TextGeneratorOptions
                        {
                            Mode = edge.ModeOf(parsed),
                            Acceptance = options.AcceptanceOf(parsed),
                            Decoder = new EdgeDecoderOptions { DraftLength = parsed.GetValue(options.DraftLength) },
                        },
                    },
                    urls,
                    parsed.GetValue(options.Json),
                    cancellationToken);
            }

            using var setup = await EdgeSetup.LoadAsync(parsed, edge, options, emulated, cancellationToken);
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
