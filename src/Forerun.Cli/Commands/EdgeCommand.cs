using System.CommandLine;
using System.CommandLine.Parsing;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Generation;
using Forerun.Inference;
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
            Description = "Who drafts.",
            DefaultValueFactory = _ => ModeNames.Of(DecodingMode.Speculative),
        };
        mode.AcceptOnlyFromAmong([.. Enum.GetValues<DecodingMode>().Select(ModeNames.Of)]);
        var warmUp = new Option<bool>("--warm-up")
        {
            Description = "Decode a few tokens first, so that the figures are not those of a cold start.",
        };
        var report = new Option<string?>("--report") { Description = "Also write the JSON document to this file." };
        var command = new Command("edge", "Draft on this machine, let a server verify.")
        {
            prompt, server, listen, mode, options.DraftModel, options.DraftLength, warmUp, report,
        };
        command.Validators.Add(result =>
            EdgeListener.Validate(result, prompt, listen, [.. options.Generation, warmUp, report]));
        options.AddGeneration(command);
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(listen) is { Length: > 0 } urls)
            {
                return await EdgeListener.RunAsync(
                    new ForerunEdgeOptions
                    {
                        Server = parsed.GetRequiredValue(server),
                        DraftModelPath = BundledModels.Draft(parsed.GetValue(options.DraftModel)),
                        Engine = options.Engine(parsed),
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

            using var draft = LanguageModel.Load(BundledModels.Draft(parsed.GetValue(options.DraftModel)), options.Engine(parsed));
            using var drafter = new ModelDrafter(draft);
            using var verifier = new GrpcVerifier(new GrpcVerifierOptions
            {
                Endpoint = parsed.GetRequiredValue(server),
                TokenizerFingerprint = draft.Tokenizer.Fingerprint,
            });
            var target = await verifier.DescribeAsync(cancellationToken);
            var decoder = new EdgeDecoder(
                verifier, drafter, new EdgeDecoderOptions { DraftLength = parsed.GetValue(options.DraftLength) });
            var request = options.Request(
                parsed, draft, parsed.GetRequiredValue(prompt), ModeNames.Parse(parsed.GetRequiredValue(mode)));
            if (parsed.GetValue(warmUp))
            {
                await decoder.CompleteAsync(request with { MaxTokens = WarmUpTokens }, cancellationToken);
            }

            var run = new GenerationRun(decoder, draft.Tokenizer);
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
