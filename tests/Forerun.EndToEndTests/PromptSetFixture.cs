using Forerun.Cloud;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>The bundled models, a server with all that it can do, and a target in this process to compare with.</summary>
public sealed class PromptSetFixture : IAsyncLifetime
{
    private VerificationScheduler? _scheduler;
    private ExitHeads? _exits;
    private ForerunServer? _server;

    public LanguageModel Target { get; } = Load("smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

    public LanguageModel Draft { get; } = Load("forerun-draft", "forerun-draft.gguf");

    public Uri Address => _server!.Addresses[0];

    /// <summary>Another scheduler than the server's; it shares nothing with it but the weights.</summary>
    public LocalVerifier Local => new(_scheduler!, Draft.Tokenizer.Fingerprint);

    public async ValueTask InitializeAsync()
    {
        _scheduler = new VerificationScheduler(Target);
        _exits = ExitHeads.Load(Repository.Path("models", "smollm2-135m-instruct", "exits.safetensors"), Target);
        _server = await ForerunServer.StartAsync(
            Target,
            new() { Urls = ["http://127.0.0.1:0"], DraftModel = Draft, Exits = _exits },
            Deadline.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await ServerFixture.AssertNoSessionsAsync(_server!);
        Assert.Equal(0, _scheduler!.SessionCount);
        await _server!.DisposeAsync();
        _scheduler.Dispose();
        _exits!.Dispose();
        Draft.Dispose();
        Target.Dispose();
    }

    private static LanguageModel Load(string folder, string file) =>
        LanguageModel.Load(Repository.Path("models", folder, file), new() { Threads = 1 });
}
