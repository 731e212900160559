using System.CommandLine;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Emulation;
using Forerun.Edge;
using Forerun.Edge.EdgeOnly;
using Forerun.Edge.Generation;
using Forerun.Inference;

namespace Forerun.Cli.Running;

/// <summary>Who verifies and who drafts, loaded and connected.</summary>
internal sealed class EdgeSetup : IDisposable
{
    private readonly Stack<IDisposable> _owned = new();

    private EdgeSetup(DraftSource draft, DecodingMode mode)
    {
        (Draft, Mode) = (draft, mode);
        _owned.Push(draft);
    }

    /// <summary>Who drafts.</summary>
    public DraftSource Draft { get; }

    /// <summary>How is decoded.</summary>
    public DecodingMode Mode { get; }

    /// <summary>Decodes.</summary>
    public EdgeDecoder Decoder { get; private set; } = null!;

    /// <summary>Generates text, for many at once; not beside <see cref="Decoder"/>.</summary>
    public TextGenerator Generator { get; private set; } = null!;

    /// <summary>Id of what answers; the server's address as long as it did not tell.</summary>
    public string ModelName { get; private set; } = "";

    /// <summary>Loads and connects. A server that does not answer is an error, or a warning where a fallback is set.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="options">Who verifies and drafts.</param>
    /// <param name="common">The engine, the models, the draft length.</param>
    /// <param name="emulated">Hardware whose times drafting is stretched to; null = this machine's own.</param>
    /// <param name="targetId">The target to insist on; empty = any with the same tokenizer.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<EdgeSetup> LoadAsync(
        ParseResult parsed,
        EdgeOptions options,
        CommonOptions common,
        EmulatedProfile? emulated,
        string targetId,
        CancellationToken cancellationToken)
    {
        var draft = options.Drafter.Load(
            parsed, common.DraftModel, common.DraftEngine(parsed), () => BundledModels.Tokenizer(parsed.GetValue(options.Tokenizer)), emulated);
        var setup = new EdgeSetup(draft, options.ModeOf(parsed));
        try
        {
            var fallback = parsed.GetValue(options.Fallback) is null ? null : new EdgeOnlyVerifier(draft.LanguageModel!);
            var server = parsed.GetValue(options.Server);
            IVerifier verifier = setup.Mode == DecodingMode.EdgeOnly ? new EdgeOnlyVerifier(draft.LanguageModel!)
                : server is not null ? setup.Connect(server, targetId)
                : setup.LoadTarget(BundledModels.Target(parsed.GetValue(common.Model)), common.Engine(parsed));
            setup.ModelName = await NameAsync(verifier, server, fallback is not null, cancellationToken);
            var decoding = new EdgeDecoderOptions
            {
                DraftLength = parsed.GetValue(common.DraftLength),
                EndsDraftsEarly = !parsed.GetValue(common.WholeDrafts),
                KeepAwake = parsed.GetValue(common.KeepAwake),
                Fallback = fallback,
            };
            setup.Decoder = new EdgeDecoder(verifier, draft.Drafter, decoding);
            setup.Generator = new TextGenerator(
                verifier,
                draft.Text,
                setup.Mode.DraftsOnEdge() ? [draft.Drafter] : [],
                new TextGeneratorOptions { Mode = setup.Mode, Acceptance = common.AcceptanceOf(parsed), Decoder = decoding });
            return setup;
        }
        catch
        {
            setup.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_owned.TryPop(out var owned))
        {
            owned.Dispose();
        }
    }

    private static async Task<string> NameAsync(
        IVerifier verifier, Uri? server, bool hasFallback, CancellationToken cancellationToken)
    {
        if (verifier is EdgeOnlyVerifier)
        {
            await Console.Error.WriteLineAsync(
                "forerun: DEGRADED, edge-only: the draft model alone answers; its text is not the target's.");
        }

        try
        {
            return (await verifier.DescribeAsync(cancellationToken)).TargetId;
        }
        catch (VerifierUnavailableException) when (hasFallback)
        {
            // The first answer tells it, and every one after it as long as it lasts.
            return server!.ToString();
        }
    }

    private GrpcVerifier Connect(Uri server, string targetId)
    {
        var verifier = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = server,
            TokenizerFingerprint = Draft.Tokenizer.Fingerprint,
            TargetId = targetId,
        });
        _owned.Push(verifier);
        return verifier;
    }

    private LocalVerifier LoadTarget(string path, ModelLoadOptions engine)
    {
        var target = LanguageModel.Load(path, engine);
        _owned.Push(target);
        var scheduler = new VerificationScheduler(target, draft: Draft.LanguageModel);
        _owned.Push(scheduler);
        return new LocalVerifier(scheduler, Draft.Tokenizer.Fingerprint);
    }
}
