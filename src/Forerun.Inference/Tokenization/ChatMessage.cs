namespace Forerun.Inference.Tokenization;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What is said. It is always plain text: control tokens written in it stay their letters.</param>
public sealed record ChatMessage(string Role, string Content);
