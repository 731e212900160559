namespace Forerun.UnitTests.Gguf;

/// <summary>Paths of the models that come with the repository.</summary>
public static class Assets
{
    public static string Target { get; } =
        Repository.Path("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

    public static string DraftModel { get; } = Repository.Path("models", "forerun-draft", "forerun-draft.gguf");

    /// <summary>A tiny model of the test assets.</summary>
    public static string Tiny(string folder) => Repository.Path("tests", "assets", "tiny", folder, "model.gguf");
}
