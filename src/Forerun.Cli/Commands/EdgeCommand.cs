using System.CommandLine;
using System.CommandLine.Parsing;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
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
        var server = new Option<Uri>("--server")
        {
            Description = "Address of a server, as http://host:port.",
            Required = true,
            CustomParser = ParseAddress,
        };
        var mode = new Option<string>("--mode")
        {
            Description = "What drafts, and when: autoregressive = nothing; speculative = between verdicts; preemptive = "
                + "also ahead, while the server verifies; pipelined = and sends it ahead. The text is the same.",
            DefaultValueFactory = _ => ModeNames.Of(DecodingMode.Speculative),
        };
        mode.AcceptOnlyFromAmong([.. Enum.GetValues<DecodingMode>().Select(ModeNames.Of)]);
        var warmUp = new Option<bool>("--warm-up")
        {
            Description = "Decode a few tokens first, so that the figures are not those of a cold start.",
        };
        var report = new Option<string?>("--report") { Description = "Also write the JSON document to this file." };
        var drafter = new DrafterOptions();
        var tokenizer = new Option<string?>("--tokenizer")
        {
            Description = "With --drafter ngram: a GGUF file with the target's tokenizer, such as the target, one of its "
                + "draft models or a file without tensors. Only its head is read. Default: the bundled target.",
        };
        var emulate = EmulateOption.Create("drafting");
        var command = new Command("edge", "Draft on this machine, let a server verify.")
        {
            prompt, server, listen, mode, tokenizer, options.DraftLength, warmUp, report, emulate,
        };
        drafter.AddTo(command, options.DraftModel);
        command.Validators.Add(result =>
            EdgeListener.Validate(result, prompt, listen, [.. options.Generation, drafter.Kind, tokenizer, warmUp, report]));
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
                        Server = parsed.GetRequiredValue(server),
                        DraftModelPath = BundledModels.Draft(parsed.GetValue(options.DraftModel)),
                        Engine = options.Engine(parsed),
                        Emulated = emulated,
                        Generation = new TextGeneratorOptions
                        {
                            Mode = ModeNames.Parse(parsed.GetRequiredValue(mode)),
                            Decoder = new EdgeDecoderOptions { DraftLength = parsed.GetValue(options.DraftLength) },
                        },
                    },
                    urls,
                    parsed.GetValue(options.Json),
                    cancellationToken);
            }

            using var draft = drafter.Load(
                parsed,
                options.DraftModel,
                options.Engine(parsed),
                () => BundledModels.Tokenizer(parsed.GetValue(tokenizer)),
                emulated);
            using var verifier = new GrpcVerifier(new GrpcVerifierOptions
            {
                Endpoint = parsed.GetRequiredValue(server),
                TokenizerFingerprint = draft.Tokenizer.Fingerprint,
            });
            var target = await verifier.DescribeAsync(cancellationToken);
            var decoder = new EdgeDecoder(
                verifier, draft.Drafter, new EdgeDecoderOptions { DraftLength = parsed.GetValue(options.DraftLength) });
            var request = options.Request(
                parsed, draft.Text, parsed.GetRequiredValue(prompt), ModeNames.Parse(parsed.GetRequiredValue(mode)));
            if (parsed.GetValue(warmUp))
            {
                await decoder.CompleteAsync(request with { MaxTokens = WarmUpTokens }, cancellationToken);
            }

            var run = new GenerationRun(decoder, draft.Tokenizer, draft.Drafter as EmulatedDrafter);
            var output = new GenerationOutput(parsed.GetValue(options.Json), parsed.GetValue(report));
            return await output.ShowAsync(run, target.TargetId, request, cancellationToken);
        });
        return command;
    }

    private static Uri? ParseAddress(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https"))
        {
            return address;
        }

        result.AddError($"The server address \"{text}\" is not usable: expected http://host:port or https://host:port.");
        return null;
    }
}
