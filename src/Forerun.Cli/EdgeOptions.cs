using System.CommandLine;
using System.CommandLine.Parsing;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;

namespace Forerun.Cli;

/// <summary>Options that choose who verifies and who drafts. Each command makes its own instance.</summary>
internal sealed class EdgeOptions
{
    private static readonly string EdgeOnly = ModeNames.Of(DecodingMode.EdgeOnly);

    public EdgeOptions()
    {
        Mode.AcceptOnlyFromAmong([.. Enum.GetValues<DecodingMode>().Select(ModeNames.Of)]);
        Fallback.AcceptOnlyFromAmong(EdgeOnly);
    }

    public Option<Uri?> Server { get; } = new("--server")
    {
        Description = "Address of a server, as http://host:port.",
        CustomParser = ParseAddress,
    };

    public Option<string> Mode { get; } = new("--mode")
    {
        Description = "What drafts, and when: autoregressive = nothing, the server streams; speculative = the edge, between verdicts; "
            + "preemptive = also ahead, while the server verifies; pipelined = and sends it ahead; asynchronous = beside the stream of a "
            + "server that never waits; colocated = the server; "
            + "auto = streams, and drafts where that is measured to be faster, with its own draft lengths. The text is the same. "
            + "edge-only = the draft model alone, without a server: another, lesser text.",
        DefaultValueFactory = _ => ModeNames.Of(DecodingMode.Auto),
    };

    public Option<string?> Fallback { get; } = new("--fallback")
    {
        Description = "edge-only = when the server is lost, say so and go on with the draft model alone, whose text is not the "
            + "target's. Default: stop with an error.",
    };

    public Option<string?> Tokenizer { get; } = new("--tokenizer")
    {
        Description = "With --drafter ngram: a GGUF file with the target's tokenizer, such as the target, one of its "
            + "draft models or a file without tensors. Only its head is read. Default: the bundled target.",
    };

    public DrafterOptions Drafter { get; } = new();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="common">Its options for the draft model and length.</param>
    /// <param name="needsServer">Whether a target on this machine is out of the question.</param>
    public void AddTo(Command command, CommonOptions common, bool needsServer)
    {
        Option[] options = [Server, Mode, Fallback, Tokenizer, common.DraftLength, common.WholeDrafts, common.Acceptance];
        foreach (var option in options)
        {
            command.Add(option);
        }

        Drafter.AddTo(command, common.DraftModel);
        command.Validators.Add(result => Validate(result, needsServer));
    }

    /// <summary>The chosen mode.</summary>
    public DecodingMode ModeOf(ParseResult parsed) => ModeNames.Parse(parsed.GetRequiredValue(Mode));

    private void Validate(CommandResult result, bool needsServer)
    {
        var isEdgeOnly = result.GetValue(Mode) == EdgeOnly;
        var hasServer = result.GetResult(Server) is { Tokens.Count: > 0 };
        var hasFallback = result.GetValue(Fallback) is not null;
        if (isEdgeOnly && hasServer)
        {
            result.AddError("--mode edge-only asks no server: leave --server out, or use --fallback edge-only.");
        }
        else if (!isEdgeOnly && !hasServer && needsServer)
        {
            result.AddError("Option '--server' is required: only --mode edge-only does without.");
        }

        if (hasFallback && !hasServer)
        {
            result.AddError("--fallback is for when a server is lost: name one with --server.");
        }

        if ((isEdgeOnly || hasFallback) && Drafter.HasNoModel(result))
        {
            result.AddError("edge-only needs a draft model: leave --drafter ngram out.");
        }
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
